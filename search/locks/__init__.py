"""What a bulk job holds while it runs, so that no other one does: in the home folder, and on the database's server."""
