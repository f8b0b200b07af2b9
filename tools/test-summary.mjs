/** Adds up what mocha prints at the end of each run: `12 passing (34ms)` and `2 failing`. */
export function createSummary() {
  let passed = 0;
  let failed = 0;
  return {
    /** @param {string} line one line of the output, with or without colours */
    read(line) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours start with one
      const plain = line.replace(/\u001b\[[0-9;]*m/g, '');
      const match = /^\s*(\d+) (?:(passing) \([^()]+\)|failing)\s*$/.exec(plain);
      if (match === null) return;
      if (match[2]) passed += Number(match[1]);
      else failed += Number(match[1]);
    },
    /**
     * @param {boolean} fine whether all runs ended well; one that broke off before its summary
     *   counts as one failure
     */
    end(fine) {
      return { passed, failed: fine ? failed : Math.max(failed, 1) };
    },
  };
}
