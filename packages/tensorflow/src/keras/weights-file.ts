import type { Group } from 'h5wasm';

/** A data set of float32, at a path such as `layers/dense/vars/0`. */
export interface PlacedWeight {
  readonly path: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** An HDF5 file of these. The library has a file system in memory for it. */
export async function hdf5File(weights: readonly PlacedWeight[]): Promise<Uint8Array> {
  // Here, because it is 4 MB that nothing else needs. Unnamed wait: it comes with this package.
  const hdf5 = await import('h5wasm');
  // Unnamed wait: its WebAssembly is compiled.
  const { FS } = await hdf5.ready;
  const name = '/model.weights.h5';
  const file = new hdf5.File(name, 'w');
  const groups = new Map<string, Group>([['', file]]);
  const groupAt = (path: string): Group => {
    let group = groups.get(path);
    if (group === undefined) {
      const [above, own] = parted(path);
      group = groupAt(above).create_group(own);
      groups.set(path, group);
    }
    return group;
  };
  try {
    for (const { path, shape, values } of weights) {
      const [above, own] = parted(path);
      groupAt(above).create_dataset({ name: own, data: values, shape: [...shape], dtype: '<f' });
    }
    file.flush();
  } finally {
    file.close();
  }
  try {
    return FS.readFile(name);
  } finally {
    FS.unlink(name);
  }
}

function parted(path: string): [above: string, own: string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, Math.max(at, 0)), path.slice(at + 1)];
}
