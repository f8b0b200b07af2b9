/** What comes first is found first, whatever the order in which things were put in. */
export interface Heap<T> {
  readonly size: number;
  /** The first, which stays. */
  first(): T | undefined;
  put(item: T): void;
  /** Takes the first out. */
  take(): T | undefined;
}

/**
 * A binary heap: putting in and taking out take a time that grows with the logarithm of the size.
 * @param before a strict order, in which no two are equal
 */
export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];
  return {
    get size() {
      return items.length;
    },
    first: () => items[0],
    put(item) {
      let at = items.length;
      items.push(item);
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!before(item, items[parent]!)) break;
        items[at] = items[parent]!;
        at = parent;
      }
      items[at] = item;
    },
    take() {
      const top = items[0];
      const last = items.pop();
      if (top === undefined || last === undefined || items.length === 0) return top;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= items.length) break;
        if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child++;
        if (!before(items[child]!, last)) break;
        items[at] = items[child]!;
        at = child;
      }
      items[at] = last;
      return top;
    },
  };
}
