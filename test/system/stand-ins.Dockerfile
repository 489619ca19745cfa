# What test/system/containers.io.ts has instead of a registry's images, of the same names, of Debian's packages. The context is what
# is to be below /usr/local of `node`.

ARG DEBIAN
FROM ${DEBIAN} AS node
COPY . /usr/local
CMD ["node"]

FROM ${DEBIAN} AS services
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d \
  && chmod +x /usr/sbin/policy-rc.d \
  && apt-get update \
  && apt-get install -y --no-install-recommends freeradius prometheus redis-server

FROM services AS redis
RUN install -d -o redis -g redis /data
WORKDIR /data
VOLUME /data
CMD ["redis-server"]

FROM services AS freeradius
# Debian has a directory for the version between; the project's own packages, of which its image is made, have not.
RUN mv /etc/freeradius/3.0 /etc/raddb \
  && rmdir /etc/freeradius \
  && mv /etc/raddb /etc/freeradius
ENTRYPOINT ["freeradius", "-f", "-d", "/etc/freeradius"]

FROM services AS prometheus
RUN install -d -o nobody -g nogroup /prometheus
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
