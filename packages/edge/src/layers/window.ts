import { check } from '../error.js';
import { ceil, floor, max } from '../math.js';

/** Where a window stands along one side of an image, as in TensorFlow. */
export interface Window {
  /** How often it stands. */
  readonly steps: number;
  /** The first place of the image that it covers at a step; below 0 in the padding. */
  start(step: number): number;
}

/** @param same whether the image is padded so that every `stride`-th place has a window */
export function windowOf(
  extent: number,
  size: number,
  stride: number,
  dilation: number,
  same: number,
): Window {
  const covered = (size - 1) * dilation + 1;
  const steps = same ? ceil(extent / stride) : floor((extent - covered) / stride) + 1;
  check(size > 0 && stride > 0 && dilation > 0 && steps > 0);
  const padding = same ? max((steps - 1) * stride + covered - extent, 0) : 0;
  return { steps, start: (step) => step * stride - floor(padding / 2) };
}
