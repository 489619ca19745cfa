# Of the nodes that these pods run on; an overlay for each level.
/system license
set level=level6
