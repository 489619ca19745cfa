/** RouterOS's licence levels, by how many tunnels of subscribers each allows on one node at a time (first manual, "Specifications"). Data only. */

/** `Infinity`: as many as the machine carries. */
export const tunnelsOf = {
  level1: 1,
  level3: 200,
  level4: 200,
  level5: Number.POSITIVE_INFINITY,
  level6: Number.POSITIVE_INFINITY,
} as const;

export type LicenceLevel = keyof typeof tunnelsOf;

export const licenceLevels = Object.keys(tunnelsOf) as readonly LicenceLevel[];
