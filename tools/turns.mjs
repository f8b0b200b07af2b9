/**
 * Lets several write at once and none into what another writes: the first shows what it writes as it
 * comes, the next what it has written as soon as the one before has ended.
 * @param {(text: string) => void} write
 */
export function createTurns(write) {
  const waiting = [];

  /** All that can be shown now is. */
  function show() {
    for (let turn = waiting[0]; turn !== undefined; turn = waiting[0]) {
      for (const text of turn.texts.splice(0)) write(text);
      if (!turn.ended) return;
      waiting.shift();
    }
  }

  return {
    /** One more, whose turn comes after those that are there. */
    take() {
      const turn = { texts: [], ended: false };
      waiting.push(turn);
      return {
        /** @param {string} text */
        write(text) {
          turn.texts.push(text);
          show();
        },
        end() {
          turn.ended = true;
          show();
        },
      };
    },
  };
}
