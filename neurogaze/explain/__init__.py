"""Why a student says what it says: maps over the face, regions, nearest prototypes, a sentence."""
