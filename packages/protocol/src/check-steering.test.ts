import assert from 'node:assert/strict';
import { checkSteering } from './check-steering.js';

const given = { earlyStopping: { patience: 3, monitor: 'auc' }, reduceOnPlateau: { factor: 2 } };

it('steering that means nothing is a fault of the program that it was written in', () => {
  assert.throws(() => checkSteering(given, 'program train.ts'), {
    code: 'BAD_PROGRAM',
    message: 'reduceOnPlateau.factor of program train.ts is 2',
    remedy: 'Give a number above 0 and below 1.',
  });
});

it('steering that means nothing is a fault of the settings, where no program is known', () => {
  assert.throws(() => checkSteering(given), {
    code: 'BAD_CONFIG',
    message: 'reduceOnPlateau.factor is 2',
  });
});
