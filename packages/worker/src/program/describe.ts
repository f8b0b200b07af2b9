import { hash as hashOf } from 'node:crypto';
import {
  type DataIdentity,
  directionOf,
  type MetricDirections,
  type ProgramDescription,
} from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';
import type { Computation, Program, ProgramData } from './program.js';

/**
 * What the coordinator must know of a program to plan the job.
 * @param identity of the data, as `identifyData` gives it; without it the data are compared with nobody's
 * @param hash SHA-256 of the program's sources; if absent, of the description itself
 * @throws TuttiError BAD_PROGRAM
 */
export function describeProgram(
  program: Program,
  data: ProgramData,
  computation: Computation,
  hash?: string,
  identity?: DataIdentity,
): ProgramDescription {
  const { batchSize, epochs, seed, shards, optimizer, evaluationBatchSize } = program;
  const { gradientCompression, earlyStopping, reduceOnPlateau } = program;
  const { sharing } = computation;
  const metricDirections = untold(computation.metricDirections);
  if (data.training.size < 1)
    throw new TuttiError('BAD_PROGRAM', 'The training set has no examples', {
      remedy: 'Return a dataset with at least one example from data().',
    });
  const description = {
    name: program.name ?? 'program',
    parameters: computation.parameters.map(({ name, shape, update, decay }) => ({
      name,
      shape: [...shape],
      ...(update === undefined ? {} : { update }),
      ...(decay === undefined ? {} : { decay }),
    })),
    trainingExamples: data.training.size,
    evaluationExamples: data.evaluation?.size ?? 0,
    defaults: {
      batchSize,
      epochs,
      seed,
      optimizer,
      ...(shards === undefined ? {} : { shards }),
      ...(evaluationBatchSize === undefined ? {} : { evaluationBatchSize }),
      ...(gradientCompression === undefined ? {} : { gradientCompression }),
      ...(earlyStopping && { earlyStopping }),
      ...(reduceOnPlateau && { reduceOnPlateau }),
    },
  };
  return {
    hash: hash ?? hashOf('sha256', JSON.stringify(description)),
    ...(sharing?.digest === undefined ? {} : { sharing: sharing.digest }),
    ...description,
    ...(computation.metricForms && { metricForms: computation.metricForms }),
    ...(metricDirections && { metricDirections }),
    ...(identity && { data: identity }),
  };
}

/** Those that the names do not tell; undefined if there are none. */
function untold(directions: MetricDirections = {}): MetricDirections | undefined {
  const others = Object.entries(directions).filter(
    ([metric, direction]) => direction !== directionOf(metric),
  );
  return others.length === 0 ? undefined : Object.fromEntries(others);
}
