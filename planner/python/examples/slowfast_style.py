"""A program in PySlowFast's style as a runner: clip length, rate and batch come from the state.

plan search --runner='python3 slowfast_style.py VIDEOS' --graph=graph.textproto --output_dir=DIR

With PySlowFast itself the program is ["python3", "tools/run_net.py", "--cfg", "configs/..."].
"""
import os
import sys

from op3d_planner import ConfigProgram, serve

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    serve(ConfigProgram([sys.executable, os.path.join(here, "run_net.py"), "--cfg", os.path.join(here, "convnet.yaml"),
                         "DATA.PATH_TO_DATA_DIR", sys.argv[1]], classes=9))
