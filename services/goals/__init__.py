"""Goals: strategic alignment and measurement."""
