#!/bin/sh
# Makes prelude.opus: a soft organ chord that breathes, drawn by formulas alone. It repeats after 12 s without a seam.
set -e
voice() { echo "$1*sin(2*PI*$2*t)*(0.75+0.25*sin(2*PI*t/$3))"; }
left="0.12*($(voice 1.0 131 12)+$(voice 0.6 196 6)+$(voice 0.5 262 4)+$(voice 0.35 330 3)+$(voice 0.15 524 2))"
right="0.12*($(voice 1.0 131 12)+$(voice 0.6 196 4)+$(voice 0.5 262 6)+$(voice 0.35 392 3)+$(voice 0.15 660 2))"
ffmpeg -y -v error -f lavfi -i "aevalsrc=exprs='$left|$right':s=48000:d=12" -c:a libopus -b:a 48k prelude.opus
