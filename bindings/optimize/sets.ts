/** Numbers that are joined into sets; a set with a frozen one is frozen. */
export function createSets() {
  const parents: number[] = [];
  const cold: boolean[] = [];
  const find = (one: number): number => {
    let root = one;
    while (parents[root] !== root) root = parents[root] as number;
    for (let at = one; at !== root; ) {
      const next = parents[at] as number;
      parents[at] = root;
      at = next;
    }
    return root;
  };
  return {
    find,
    frozen: (one: number) => cold[find(one)] as boolean,
    fresh: (count: number) =>
      Array.from({ length: count }, () => {
        cold.push(false);
        return parents.push(parents.length) - 1;
      }),
    freeze(all: readonly number[]) {
      for (const one of all) cold[find(one)] = true;
    },
    join(a: readonly number[], b: readonly number[]) {
      for (const [i, one] of a.entries()) {
        const [p, q] = [find(one), find(b[i] as number)];
        if (p === q) continue;
        parents[q] = p;
        cold[p] = cold[p] === true || cold[q] === true;
      }
    },
  };
}

export type Sets = ReturnType<typeof createSets>;
