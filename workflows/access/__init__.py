"""Who should have which application, who has, and what people choose to do about it."""
