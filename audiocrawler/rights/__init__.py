"""What servers, documents and files say of the rights in audio in; the same for rows and decisions out, not guessed."""
