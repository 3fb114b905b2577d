"""From a recipe to trained weights: schedules, orders, the loop."""
