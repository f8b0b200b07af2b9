import { type GradientFunction, type Native, replaceGradient } from './backend.js';

/** One native operation in place of three: recurrent layers have five of them at every step. */
export function accelerateSigmoid({ tf, backend, float, activeBackward }: Native): void {
  for (const name of ['Sigmoid', 'Tanh'])
    replaceGradient(tf, name, (original) => {
      const gradFunc: GradientFunction = (dy, saved, attributes) =>
        activeBackward() && dy.dtype === 'float32'
          ? { x: () => backend.executeSingleOutput(`${name}Grad`, [float], [saved[0]!, dy]) }
          : original.gradFunc(dy, saved, attributes);
      return { ...original, gradFunc };
    });
}
