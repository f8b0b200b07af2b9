/** Bias corrections: `1 - beta^(step + 1)` for steps from 0 (Kingma & Ba 2015, algorithm 1). */
export type CorrectionSource = (beta: number) => (step: number) => number;

export const realCorrections: CorrectionSource = (beta) => (step) => 1 - beta ** (step + 1);

/** From here on `1 - beta^t` is 1 in float32. */
const NEGLIGIBLE = 2 ** -26;

/**
 * As tfjs-core has it: the power is a running product in float32. For beta2 = 0.999 that makes
 * the correction of the first step 1.3e-5 smaller than the real one, so a run that is to follow
 * tfjs needs it. Remembers where it was: consecutive steps cost one multiplication.
 */
export const float32Corrections: CorrectionSource = (beta) => {
  const factor = Math.fround(beta);
  let power = factor;
  let at = 0;
  return (step) => {
    if (step < at) {
      power = factor;
      at = 0;
    }
    while (at < step && power > NEGLIGIBLE) {
      power = Math.fround(power * factor);
      at++;
    }
    return Math.fround(1 - power);
  };
};
