"""The torch side: encoder and heads, examples, the training loop, checkpoints, export. Needs the extra ``train``."""

import os

# Where torch's threads wait for each other, libgomp has them spin for milliseconds. Beside other work on the same cores, such
# as the server of the project that trains, it is the awaited thread that loses its turn to them: two threads beside two busy
# processes on two cores took twice as long. Ten thousand turns are microseconds, and cost a lone training nothing that could
# be measured. libgomp reads this when torch is first imported.
if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
    os.environ["GOMP_SPINCOUNT"] = "10000"
