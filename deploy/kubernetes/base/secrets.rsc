# Replace it: `secretGenerator` with `behavior: replace` in an overlay of yours, or `--set-file secrets=` of Helm.
/radius
add service=ppp address=192.0.2.1 secret=replace-me
