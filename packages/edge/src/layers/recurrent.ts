import type { Activation } from '../activations.js';
import { floats, zeros } from '../arrays.js';
import { check } from '../error.js';
import { multiply } from './dense.js';
import { type LayerKind, ofRank, product } from './layer.js';

/** One time step: from x W + b, the state before and the recurrent weights, the state after. */
type TimeStep = (
  x: Float64Array,
  state: { h: Float32Array; c: Float32Array },
  recurrent: Float32Array,
  activations: readonly Activation[],
) => void;

/** h = act(x W + b + h U). */
export const simpleRnn = recurrent(1, 1, (x, state, kernel, [activation]) => {
  state.h = floats(multiply(state.h, kernel, x));
  activation!(state.h, state.h.length);
});

/** Hochreiter and Schmidhuber 1997, with a forget gate; gates in the order input, forget, cell, output. */
export const lstm = recurrent(4, 2, (x, state, kernel, [activation, gate]) => {
  const units = state.h.length;
  const sums = floats(multiply(state.h, kernel, x));
  const [input, forget, cell, output] = [gate, gate, activation, gate].map((by, at) => {
    const values = sums.subarray(at * units, (at + 1) * units);
    by!(values, units);
    return values;
  });
  state.c = state.c.map((c, i) => forget![i]! * c + input![i]! * cell![i]!);
  const shown = state.c.slice();
  activation!(shown, units);
  state.h = shown.map((c, i) => c * output![i]!);
});

/** Cho et al. 2014; gates in the order update, reset, candidate; the reset before the product. */
export const gru = recurrent(3, 2, (x, state, kernel, [activation, gate]) => {
  const { h } = state;
  const units = h.length;
  const sums = multiply(h, kernel, x);
  const gates = floats(sums.subarray(0, 2 * units));
  gate!(gates, units);
  const reset = h.map((value, i) => gates[units + i]! * value);
  const candidate = floats(multiply(reset, kernel, x).subarray(2 * units));
  activation!(candidate, units);
  state.h = h.map((value, i) => gates[i]! * value + (1 - gates[i]!) * candidate[i]!);
});

/**
 * A second input is a mask: where it is 0, the step is left out. Over [time, inputs]; W [inputs, gates x units], U [units, gates x units],
 * b [gates x units].
 */
function recurrent(gates: number, activations: number, step: TimeStep): LayerKind {
  return {
    // units, whether all steps are given, whether it begins at the last (2: and gives them in the order of the input)
    numbers: 3,
    activations,
    merges: true,
    open([input, mask], [units, sequences, backwards], acts) {
      const [time, width] = ofRank<[number, number]>(input!, 2);
      check(!mask || product(mask) === time);
      const columns = gates * units!;
      return {
        shape: sequences ? [time, units!] : [units!],
        weights: [[width, columns], [units!, columns], [columns]],
        run([x, words], [kernel, recurrentKernel, bias]) {
          const state = { h: zeros(units!), c: zeros(units!) };
          const all = zeros(sequences ? time * units! : 0);
          for (let t = 0; t < time; t++) {
            const at = backwards ? time - 1 - t : t;
            const row = x!.subarray(at * width, (at + 1) * width);
            if (words?.[at] !== 0)
              step(multiply(row, kernel!, bias!), state, recurrentKernel!, acts);
            if (sequences) all.set(state.h, (backwards! > 1 ? at : t) * units!);
          }
          return sequences ? all : state.h;
        },
      };
    },
  };
}
