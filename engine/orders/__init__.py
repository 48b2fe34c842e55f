"""An order: a gift on its way from a shop to a recipient."""
