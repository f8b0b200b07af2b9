import { defineTraining, type SharingRule, type TrainingOptions } from '@tutti/tensorflow';

/** A program for its model alone: it has no data. */
export const untrained = (model: TrainingOptions['model'], sharing: readonly SharingRule[]) =>
  defineTraining({
    model,
    sharing,
    loss: 'meanSquaredError',
    data: () => {
      throw new Error('There are no data.');
    },
    optimizer: { name: 'sgd', learningRate: 0.1 },
    batchSize: 8,
    epochs: 1,
    seed: 1,
  });
