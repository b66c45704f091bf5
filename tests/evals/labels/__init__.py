"""Labels of historical tickets."""
