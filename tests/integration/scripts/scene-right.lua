-- The scene as it should be.
require("scene").play {}
