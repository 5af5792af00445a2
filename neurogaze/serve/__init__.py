"""The local page of a student: pictures in, perceived expressions out, nothing kept."""
