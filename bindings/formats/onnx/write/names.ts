/** Names of values in a file: one is one value, within graphs of nodes and around them. */
export class Names {
  readonly #taken = new Set<string>();
  /** What made-up names begin with. */
  readonly #roots = new Map<string, string>();

  isTaken = (name: string): boolean => this.#taken.has(name);

  /** A name that nothing has. */
  fresh(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#taken.add(name);
    return name;
  }

  /** A name for what is made of a value: that one's, or what that is made of, and what is done. */
  made(of: string, part: string): string {
    const root = this.rootOf(of);
    const name = this.fresh(`${root}/${part}`);
    this.#roots.set(name, root);
    return name;
  }

  rootOf = (name: string): string => this.#roots.get(name) ?? name;
}
