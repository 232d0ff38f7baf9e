// What is wrong with the sizes of a convolutional autoencoder, a sentence each.
interface Sizes {
  readonly ch: number;
  readonly ch_mult: readonly number[];
  readonly groups: number;
}

/** Every reason why an autoencoder of pictures with sides of `resolution` can't be built; none for one that can. */
export const autoencoderFaults = ({ ch, ch_mult, groups }: Sizes, resolution: number): readonly string[] => {
  const halved = ch_mult.length - 1;
  const narrow = [1, ...ch_mult].find((m) => (ch * m) % groups !== 0);
  return [
    ...(ch_mult.length === 0 ? ['autoencoder.ch_mult is empty: it has an entry a level'] : []),
    ...(narrow === undefined
      ? []
      : [`autoencoder.ch ${ch}: ${ch * narrow} channels are not a multiple of the ${groups} groups of norms`]),
    ...(resolution % 2 ** halved === 0 ? [] : [`a resolution of ${resolution} can't be halved ${halved} times`]),
  ];
};
