// What a device says of itself: everything that choices of the compiler depend on.

export interface Limits {
  /** Bytes of one storage binding, and of one buffer. */
  readonly binding: number;
  readonly buffer: number;
  readonly storageBuffers: number;
  readonly workgroupBytes: number;
  readonly invocations: number;
  readonly groupsPerDimension: number;
  /** Bytes of run-time scalars that a kernel takes without a buffer; 0 where it takes none. */
  readonly immediateBytes: number;
}

/** Matrices that a subgroup multiplies at once, M x K by K x N of `component`, and adds up in `result`. */
export interface SubgroupMatrix {
  readonly component: 'f32' | 'f16';
  readonly result: 'f32' | 'f16';
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** WGSL, JavaScript for gpu.js, or WebAssembly text. */
export type Target = 'wgsl' | 'js' | 'wasm';

export interface Caps {
  /** The language that kernels are printed in. */
  readonly target: Target;
  /** Hand-shaped templates; without them every call is decomposed into generic kernels. */
  readonly templates: boolean;
  readonly f16: boolean;
  /** Subgroup sizes, or null where subgroups are missing. `set`: of a range, the size that kernels ask for, where they may. */
  readonly subgroups: { readonly min: number; readonly max: number; readonly set?: number } | null;
  /** The adapter's favourites first; none where the feature is missing or was not asked for. */
  readonly subgroupMatrices: readonly SubgroupMatrix[];
  /** WebAssembly alone: whether the engine multiplies and adds in one rounding. */
  readonly relaxedSimd?: boolean;
  /** WebAssembly alone: addresses of 64 bits, for memory above 4 GiB. */
  readonly memory64?: boolean;
  readonly timestamps: boolean;
  /** A software rasteriser: loads are dear, barriers dearer, compile time counts. */
  readonly software: boolean;
  /** The driver unrolls loops whose bounds it knows, and compiles for seconds, as software rasterisers do: bounds are hidden from it. */
  readonly unrolls: boolean;
  readonly limits: Limits;
  /** The maker, as WebGPU spells it (`nvidia`, `amd`, `apple`, `qualcomm`); empty where it is not told. */
  readonly vendor: string;
  /** Adapter and driver in words. */
  readonly name: string;
  /** Key of caches: adapter, driver, features and limits. */
  readonly fingerprint: string;
}
