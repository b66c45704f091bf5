"""The command line, with a parent of workers that waits for nobody's end longer than three seconds."""

import server.workers
from graphs.cli import main

if __name__ == "__main__":
    server.workers._END_S = 3
    main()
