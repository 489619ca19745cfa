/** What codec.io.ts uses of the npm package `radius`, which brings no types of its own. */

declare module 'radius' {
  /** A plain attribute, or a vendor's: `Vendor-Specific`, his number, his attributes. */
  export type Encodable =
    | readonly [string, Buffer]
    | readonly ['Vendor-Specific', number, readonly Encodable[]];

  const radius: {
    /** A folder or a file to be read by `load_dictionaries`, after the package's own. */
    add_dictionary(path: string): void;
    load_dictionaries(): void;
    /** Decimal digits, as all numbers of the dictionary. */
    attr_name_to_id(name: string, vendor?: string): string | undefined;
    vendor_name_to_id(name: string): string | undefined;
    encode(packet: {
      code: string;
      identifier: number;
      authenticator: Buffer;
      secret: string;
      attributes: readonly Encodable[];
      add_message_authenticator: boolean;
    }): Buffer;
  };
  export default radius;
}
