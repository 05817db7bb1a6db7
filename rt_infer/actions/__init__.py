"""What a policy's actions mean, and the joint waypoints that they become. numpy and _core only."""
