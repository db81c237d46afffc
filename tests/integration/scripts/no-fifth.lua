-- The writer is worker 4, however many there are.
require("scene").play { writer = 4 }
