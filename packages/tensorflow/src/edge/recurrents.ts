import type { Conversion, Result } from './conversion.js';
import { emitFactor } from './factors.js';
import type { ConvertibleLayer } from './symbolic.js';

const KINDS = {
  SimpleRNN: { kind: 'simpleRnn', gates: 1 },
  LSTM: { kind: 'lstm', gates: 4 },
  GRU: { kind: 'gru', gates: 3 },
} as const;

/** The numbers that a file has for directions. */
const FORWARD = 0;
const BACKWARD = 1;
/** With results in the order of the input. */
const BACKWARD_IN_ORDER = 2;

export function recurrent(conversion: Conversion): Result {
  const { layer, config } = conversion;
  return converted(conversion, layer, config.goBackwards ? BACKWARD : FORWARD);
}

/** Both directions, side by side or added up. */
export function bidirectional(conversion: Conversion): Result {
  const { layer, config, emit, refuse } = conversion;
  const { forwardLayer, backwardLayer } = layer as unknown as Record<string, ConvertibleLayer>;
  const forward = converted(conversion, forwardLayer!, FORWARD);
  const backward = converted(conversion, backwardLayer!, BACKWARD_IN_ORDER);
  const inputs = [forward.at, backward.at];
  const channels = forward.shape.at(-1)!;
  const { mergeMode } = config;
  const { shape } = conversion;
  const merged = (at: number) => ({ ...forward, at, shape });
  if (mergeMode === 'concat')
    return merged(emit({ kind: 'concatenate', inputs, numbers: [shape.length - 1] }));
  if (mergeMode === 'mul') return merged(emit({ kind: 'multiply', inputs }));
  if (mergeMode !== 'sum' && mergeMode !== 'ave') refuse('gives its two directions apart');
  const sum = emit({ kind: 'add', inputs });
  if (mergeMode === 'sum') return merged(sum);
  const weights = [new Float32Array(channels).fill(0.5), new Float32Array(channels)];
  return merged(emit({ kind: 'affine', inputs: [sum], weights }));
}

function converted(conversion: Conversion, layer: ConvertibleLayer, direction: number): Result {
  const { inputs, emit, weight, factors, bias, activation, refuse } = conversion;
  if (inputs.length > 1) refuse('is given an initial state');
  const known = KINDS[layer.getClassName() as keyof typeof KINDS];
  if (known === undefined) refuse(`is around a ${layer.getClassName()}`);
  const { kind, gates } = known;
  const [input] = inputs;
  const cell = layer.cell as ConvertibleLayer;
  const config = layer.getConfig();
  const units = config.units as number;
  const { returnSequences } = config;
  // A kernel that is a product A B reads x A of each step.
  const product = factors(cell.kernel!);
  const read = product ? emitFactor(conversion, input.at, product.left, product.rank) : input.at;
  const at = emit({
    kind,
    inputs: input.mask === undefined ? [read] : [read, input.mask],
    numbers: [units, returnSequences ? 1 : 0, direction],
    activations:
      gates > 1
        ? [activation(config.activation), activation(config.recurrentActivation)]
        : [activation(config.activation)],
    weights: [
      product ? product.right : weight(cell.kernel!),
      weight(cell.recurrentKernel!),
      bias(cell.bias, gates * units),
    ],
  });
  const shape = returnSequences ? [input.shape[0]!, units] : [units];
  return {
    at,
    shape,
    ...(returnSequences === true && input.mask !== undefined && { mask: input.mask }),
  };
}
