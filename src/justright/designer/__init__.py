"""The one imperative shell: observe, plan, act, within the time limit."""
