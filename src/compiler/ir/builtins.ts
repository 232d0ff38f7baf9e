// Names that every kernel may refer to without declaring them.
export const builtins = {
  /** Linear workgroup index, unfolded. */
  group: 'group',
  /** Linear index of the invocation in its workgroup. */
  local: 'local',
  /** Lane in the subgroup, and which subgroup of the workgroup it is (only where the kernel asks for subgroups). */
  lane: 'lane',
  subgroup: 'subgroup',
  /** 0, which no shader compiler knows: added to a loop's bound it keeps a short loop from being unrolled. */
  zero: 'zero',
} as const;
