import { conv2d, depthwiseConv2d } from './convolution.js';
import { dense } from './dense.js';
import { activation, affine, reshape } from './element-wise.js';
import { embedding } from './embedding.js';
import type { LayerKind } from './layer.js';
import { add, concatenate, multiplication } from './merge.js';
import { zeroPadding2d } from './padding.js';
import { averagePool, maxPool } from './pooling.js';
import { gru, lstm, simpleRnn } from './recurrent.js';

/** What writers call the kinds; not in `index.ts`, since the reader does without. */
export const LAYER_NAMES = {
  dense,
  conv2d,
  depthwiseConv2d,
  maxPool,
  averagePool,
  embedding,
  simpleRnn,
  lstm,
  gru,
  activation,
  affine,
  reshape,
  add,
  multiply: multiplication,
  concatenate,
  zeroPadding2d,
} as const satisfies Readonly<Record<string, LayerKind>>;
