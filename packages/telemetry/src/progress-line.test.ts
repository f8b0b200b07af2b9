import assert from 'node:assert/strict';
import { progressLine } from './progress-line.js';
import { started, stepEvent } from './testing.js';

const metrics = { accuracy: 0.875, meanAbsoluteError: 0.5 };
const at = (columns: number, fields: Partial<Parameters<typeof progressLine>[0]> = {}) =>
  progressLine(
    {
      started,
      latest: stepEvent(938, { epoch: 3, metrics }),
      leftMs: 185_000,
      share: 0.2,
      ...fields,
    },
    columns,
  );

describe('the progress line', () => {
  it('says everything where there is room', () => {
    assert.equal(
      at(200),
      'epoch 3/10 █████░░░░░░░░░░░░░░░░░░░ step 938/4690 · loss 0.5000 · accuracy 87.50 % · meanAbsoluteError 0.5000 · 4,321 examples/s · 3 min 05 s left',
    );
  });

  it('fits every terminal from 40 to 200 columns, and says no less on a wider one', () => {
    const parts = (line: string) => line.split(/ · | [█░]+ /).length;
    for (let columns = 40; columns <= 200; columns++) {
      const line = at(columns);
      assert.ok(line.length < columns, `${columns}: ${line}`);
      assert.match(line, /step 938\/4690( · |$)/);
      assert.ok(columns === 40 || parts(line) >= parts(at(columns - 1)), `${columns}: ${line}`);
      // Nothing is cut in its middle.
      if (line.includes('examples')) assert.match(line, /4,321 examples\/s/);
      if (line.includes('min')) assert.match(line, /3 min 05 s left$/);
    }
  });

  it('leaves out what matters least', () => {
    assert.equal(
      at(110),
      'epoch 3/10 ███░░░░░░░░░░░ step 938/4690 · loss 0.5000 · accuracy 87.50 % · 4,321 examples/s · 3 min 05 s left',
    );
    assert.equal(at(60), '███░░░░░░░░░░ step 938/4690 · loss 0.5000 · 3 min 05 s left');
    assert.equal(at(40), '██░░░░░░░░░ step 938/4690 · loss 0.5000');
  });

  it('has something to say before the first step, and on no terminal at all', () => {
    assert.equal(
      at(80, { latest: undefined, leftMs: undefined, share: 0 }),
      'epoch 1/10 ░░░░░░░░░░░░░░░░░░░░░░░░ step 0/4690',
    );
    assert.ok(at(1).length <= 1);
  });
});
