"""Real days lived through the running system while its processes, and its disk, are hurt."""
