"""A solution of the search, and what of it is to be undone."""

from typing import NamedTuple

import numpy as np

from optimizer.compiled import compiled
from optimizer.routing.arrays import NEVER, Instance, Ints

# Columns of a leg, the visit to one stop on a route: when service begins, what is on board after
# it and how many requests that is, and when it could begin at the latest without making the rest
# of the route impossible.
STOP, BEGIN, ON_SIZE, ON_MASS, ABOARD, LATEST = range(6)
# Columns of a route.
LENGTH, COST, VERSION = range(3)
# Columns of what is known of a request's cheapest place in a route.
KNOWN, DELTA, BEFORE, AFTER = range(4)


class State(NamedTuple):
    """A solution: legs [vehicle, place], routes [vehicle], where [request] = vehicle or -1.

    known: [request, vehicle], the cheapest place found in the version of the route that it names.
    counter: the last version given; 0 = no work. line: a route under trial.
    taken: when rests begin. detours: what a delivery would cost before each place of a route.
    """

    legs: Ints
    routes: Ints
    where: Ints
    known: Ints
    counter: Ints
    line: Ints
    taken: Ints
    detours: Ints


class Undo(NamedTuple):
    """Routes as they were before this round changed them, if `touched`."""

    legs: Ints
    routes: Ints
    where: Ints
    touched: Ints


def empty_undo(instance: Instance) -> Undo:
    """Nothing to be undone."""
    state = empty_state(instance)
    touched = np.zeros(len(state.routes), dtype=np.int64)
    return Undo(state.legs, state.routes, state.where, touched)


def empty_state(instance: Instance) -> State:
    """No request served."""
    requests, vehicles = instance.allowed.shape
    return State(
        legs=np.zeros((vehicles, 2 * requests + 2, 6), dtype=np.int64),
        routes=np.zeros((vehicles, 3), dtype=np.int64),
        where=np.full(requests, -1, dtype=np.int64),
        known=np.full((requests, vehicles, 4), -1, dtype=np.int64),
        counter=np.zeros(1, dtype=np.int64),
        line=np.zeros(2 * requests + 2, dtype=np.int64),
        taken=np.full(len(instance.rests), NEVER, dtype=np.int64),
        detours=np.zeros(2 * requests + 2, dtype=np.int64),
    )


@compiled
def copy_route(routes: Ints, legs: Ints, to_routes: Ints, to_legs: Ints, v: int) -> None:
    """Copy one vehicle's route from one solution to another."""
    for column in range(routes.shape[1]):
        to_routes[v, column] = routes[v, column]
    for k in range(routes[v, LENGTH]):
        for column in range(legs.shape[2]):
            to_legs[v, k, column] = legs[v, k, column]


@compiled
def copy_numbers(numbers: Ints, to: Ints) -> None:
    """Copy a row of numbers."""
    for n in range(len(numbers)):
        to[n] = numbers[n]


@compiled
def keep(state: State, undo: Undo, v: int) -> None:
    """Remember a route as it is, unless it is remembered already."""
    if undo.touched[v] == 0:
        undo.touched[v] = 1
        copy_route(state.routes, state.legs, undo.routes, undo.legs, v)
