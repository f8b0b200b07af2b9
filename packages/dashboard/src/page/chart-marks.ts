import type uPlot from 'uplot';
import type { Mark } from '../view.js';
import type { Colours } from './colours.js';

/** A mark, and where it stands on the axis of steps. */
export interface PlacedMark {
  readonly x: number;
  readonly mark: Mark;
}

/** Faults and take-overs: a line each, with a sign on it whose form says as much as its colour. */
export function drawMarks(self: uPlot, marks: readonly PlacedMark[], colours: Colours): void {
  const { ctx, bbox } = self;
  const unit = devicePixelRatio;
  ctx.save();
  for (const { x, mark } of marks) {
    const left = self.valToPos(x, 'x', true);
    if (left < bbox.left - 1 || left > bbox.left + bbox.width + 1) continue;
    const colour = colours[mark.tone as 'fault' | 'recovery' | 'wait' | 'note'] ?? colours.muted;
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = unit;
    ctx.setLineDash(mark.tone === 'fault' ? [] : [3 * unit, 3 * unit]);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    sign(ctx, mark.tone, left, bbox.top - 6 * unit, 5 * unit);
  }
  ctx.restore();
}

/** ▼ fault, ▲ recovery, ◆ wait, ● everything else. */
function sign(ctx: CanvasRenderingContext2D, tone: string, x: number, y: number, size: number) {
  ctx.beginPath();
  if (tone === 'fault' || tone === 'recovery') {
    const tip = tone === 'fault' ? size : -size;
    ctx.moveTo(x - size, y - tip * 0.8);
    ctx.lineTo(x + size, y - tip * 0.8);
    ctx.lineTo(x, y + tip * 0.8);
  } else if (tone === 'wait') {
    ctx.moveTo(x, y - size);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x, y + size);
    ctx.lineTo(x - size, y);
  } else ctx.arc(x, y, size * 0.7, 0, 2 * Math.PI);
  ctx.fill();
}
