"""The Room page: the wall for who leads, joining and one's own place for all others, lesson and questions."""
