"""A directory registry over HTTP, with the queries and answers of Wasmer's registry. Internal."""
