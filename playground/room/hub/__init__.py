"""What is one for all sessions of this process: the room in front of the store. Thread-safe; imports no streamlit."""
