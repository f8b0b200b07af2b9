import type { Computation, GradientResult, MicroBatch, Program } from '@tutti/worker';

/** The same program with something done to each gradient. */
export function altered(
  program: Program,
  alter: (
    result: GradientResult,
    microBatch: MicroBatch,
  ) => GradientResult | Promise<GradientResult>,
): Program {
  return {
    ...program,
    async open(): Promise<Computation> {
      const computation = await program.open();
      return {
        ...computation,
        async gradient(weights, microBatch) {
          return alter(await computation.gradient(weights, microBatch), microBatch);
        },
      };
    },
  };
}
