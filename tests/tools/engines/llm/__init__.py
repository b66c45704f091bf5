"""The connection to a language model, against an endpoint on a real socket."""
