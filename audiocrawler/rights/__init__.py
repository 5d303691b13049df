"""Licences and AI opt-outs, as stated by servers, documents and files; never guessed."""
