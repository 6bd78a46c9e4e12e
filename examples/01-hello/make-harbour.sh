#!/bin/sh
# Makes harbour.mp4: a sun over moving water, drawn by formulas alone. Picture and sound repeat after 12 s.
set -e
ffmpeg -y -v error \
  -f lavfi -i "color=black:s=320x180:r=30:d=12,format=gbrp,geq=\
r='if(lt(Y,96), clip(70+150*Y/96+90*exp(-hypot(X-222,Y-64)/34)+90*clip(20.7-hypot(X-222,Y-64),0,1),0,255), clip(20+70*exp(-(Y-96)/40)+26*sin(2*PI*((Y-96)*(Y-60)/900-T/2)+X/23)*sin(2*PI*(X/97+T/4)+Y/11)+150*exp(-abs(X-222+(Y-96)/5*sin(2*PI*T/3+Y/3))/(9+(Y-96)/6))*(0.55+0.45*sin(Y*1.1-2*PI*T)),0,255))':\
g='if(lt(Y,96), clip(78+70*Y/96+70*exp(-hypot(X-222,Y-64)/34)+90*clip(20.7-hypot(X-222,Y-64),0,1),0,255), clip(58+52*exp(-(Y-96)/40)+22*sin(2*PI*((Y-96)*(Y-60)/900-T/2)+X/23)*sin(2*PI*(X/97+T/4)+Y/11)+100*exp(-abs(X-222+(Y-96)/5*sin(2*PI*T/3+Y/3))/(9+(Y-96)/6))*(0.55+0.45*sin(Y*1.1-2*PI*T)),0,255))':\
b='if(lt(Y,96), clip(150-10*Y/96+10*exp(-hypot(X-222,Y-64)/34)+20*clip(20.7-hypot(X-222,Y-64),0,1),0,255), clip(98+34*exp(-(Y-96)/40)+18*sin(2*PI*((Y-96)*(Y-60)/900-T/2)+X/23)*sin(2*PI*(X/97+T/4)+Y/11)+36*exp(-abs(X-222+(Y-96)/5*sin(2*PI*T/3+Y/3))/(9+(Y-96)/6))*(0.55+0.45*sin(Y*1.1-2*PI*T)),0,255))',scale=960:540:flags=bicubic,format=yuv420p" \
  -f lavfi -i "aevalsrc=exprs='0.05*(sin(2*PI*220*t)*(0.6+0.4*sin(2*PI*t/6))+0.7*sin(2*PI*330*t)*(0.5+0.5*sin(2*PI*t/4)))|0.05*(sin(2*PI*220*t)*(0.6+0.4*sin(2*PI*t/6))+0.7*sin(2*PI*275*t)*(0.5-0.5*sin(2*PI*t/4)))':s=48000:d=12" \
  -c:v libx264 -preset veryslow -crf 27 -g 60 -pix_fmt yuv420p -color_primaries bt709 -color_trc bt709 -colorspace bt709 \
  -c:a aac -b:a 64k -movflags +faststart -shortest harbour.mp4
