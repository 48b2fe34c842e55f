"""The real-time path measured over real sockets, each part beside a bare one in the same run."""
