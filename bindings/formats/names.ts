/** Names of inputs and outputs: never empty, never twice. */
export function uniqueNames(names: readonly string[], fallback: string): readonly string[] {
  const taken = new Set<string>();
  // Where the next free suffix of a name starts: linear time however often a name repeats.
  const next = new Map<string, number>();
  return names.map((given, index) => {
    const name = given === "" ? `${fallback}_${index}` : given;
    let unique = name;
    let suffix = next.get(name) ?? 2;
    while (taken.has(unique)) unique = `${name}_${suffix++}`;
    next.set(name, suffix);
    taken.add(unique);
    return unique;
  });
}
