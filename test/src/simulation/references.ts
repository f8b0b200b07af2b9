import { runLocal } from '@tutti/launch';
import type { RunEvent } from '@tutti/telemetry';
import type { Program } from '@tutti/worker';
import { regression } from '../programs/regression.js';
import type { ProgramShape } from './scenario.js';

/** What a run must come to: the same program in a plain loop, without any role. */
export interface Reference {
  readonly program: Program;
  readonly digest: string;
  readonly examples: number;
  readonly steps: readonly Extract<RunEvent, { event: 'step' }>[];
  /** The optimizer's state by step, as the first checkpoint had it. */
  readonly states: Map<number, Buffer>;
  readonly epochs: readonly Extract<RunEvent, { event: 'epoch' }>[];
}

/** Further floats of a program that has several chunks. */
export const PADDING = 5;

/** References of all programs asked for so far. */
export function createReferences(): (shape: ProgramShape) => Promise<Reference> {
  const known = new Map<string, Promise<Reference>>();
  return (shape) => {
    const key = JSON.stringify(shape);
    let reference = known.get(key);
    if (reference === undefined) {
      reference = compute(shape);
      known.set(key, reference);
    }
    return reference;
  };
}

async function compute({ chunkFloats, ...shape }: ProgramShape): Promise<Reference> {
  const narrow = regression(shape);
  const program = chunkFloats === undefined ? narrow : padded(narrow);
  const events: RunEvent[] = [];
  const run = runLocal(program, {
    workers: 0,
    chunkFloats,
    onEvent: (event) => events.push(event),
  });
  const { digest, examples } = await run.result;
  return {
    program,
    digest,
    examples,
    states: new Map(),
    steps: events.filter((event) => event.event === 'step'),
    epochs: events.filter((event) => event.event === 'epoch'),
  };
}

/** The same program with one more parameter, of the kind that is averaged, and all gradients known early. */
function padded(program: Program): Program {
  return {
    ...program,
    name: 'padded regression',
    async open() {
      const narrow = await program.open();
      return {
        ...narrow,
        parameters: [...narrow.parameters, { name: 'pad', shape: [PADDING], update: 'average' }],
        initialize: async (seed) => ({
          ...(await narrow.initialize(seed)),
          pad: new Float32Array(PADDING).fill(0.5),
        }),
        async gradient(weights, microBatch, known) {
          const result = await narrow.gradient(weights, microBatch);
          const pad = new Float32Array(PADDING).fill(result.gradient.b![0]! / 7);
          const gradient = { pad, ...result.gradient };
          if (known === undefined) return { ...result, gradient };
          for (const [name, values] of Object.entries(gradient)) known(name, values);
          return { ...result, gradient: {} };
        },
      };
    },
  };
}
