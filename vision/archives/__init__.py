"""Archives of pictures: what lies in a zip or tar file, and the bytes of one member, within limits, never unpacked."""
